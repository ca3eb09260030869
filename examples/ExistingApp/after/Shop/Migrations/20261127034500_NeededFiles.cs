using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Shop.Migrations
{
    /// <inheritdoc />
    public partial class NeededFiles : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_stored_files_created_at",
                table: "stored_files");

            migrationBuilder.DropIndex(
                name: "ix_stored_files_task_id",
                table: "stored_files");

            migrationBuilder.AddColumn<DateTime>(
                name: "expires_at",
                table: "stored_files",
                type: "datetime(6)",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "heavy_task_files",
                columns: table => new
                {
                    file_id = table.Column<Guid>(type: "binary(16)", nullable: false),
                    task_id = table.Column<Guid>(type: "binary(16)", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_heavy_task_files", x => new { x.file_id, x.task_id });
                    table.ForeignKey(
                        name: "fk_heavy_task_files_file_id",
                        column: x => x.file_id,
                        principalTable: "stored_files",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                })
                .Annotation("MySql:CharSet", "utf8mb4")
                .Annotation("Relational:Collation", "utf8mb4_bin");

            migrationBuilder.CreateIndex(
                name: "ix_stored_files_expires_at",
                table: "stored_files",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "ix_stored_files_task_id_created_at",
                table: "stored_files",
                columns: new[] { "task_id", "created_at" });

            migrationBuilder.CreateIndex(
                name: "ix_heavy_task_files_task_id",
                table: "heavy_task_files",
                column: "task_id");

            // What searched the parameters of tasks until now is written down: which waiting or failed task needs which upload.
            migrationBuilder.Sql(
                """
                INSERT INTO heavy_task_files (file_id, task_id)
                SELECT f.id, t.id FROM stored_files f JOIN heavy_tasks t
                ON t.parameters LIKE CONCAT('%', LOWER(INSERT(INSERT(INSERT(INSERT(HEX(f.id), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-')), '%')
                WHERE f.task_id IS NULL AND t.status <> 'Succeeded';
                """);
            migrationBuilder.Sql(
                """
                UPDATE stored_files f LEFT JOIN heavy_tasks t ON t.id = f.task_id
                SET f.expires_at = UTC_TIMESTAMP(6) WHERE f.task_id IS NOT NULL AND t.id IS NULL;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "heavy_task_files");

            migrationBuilder.DropIndex(
                name: "ix_stored_files_expires_at",
                table: "stored_files");

            migrationBuilder.DropIndex(
                name: "ix_stored_files_task_id_created_at",
                table: "stored_files");

            migrationBuilder.DropColumn(
                name: "expires_at",
                table: "stored_files");

            migrationBuilder.CreateIndex(
                name: "ix_stored_files_created_at",
                table: "stored_files",
                column: "created_at");

            migrationBuilder.CreateIndex(
                name: "ix_stored_files_task_id",
                table: "stored_files",
                column: "task_id");
        }
    }
}
